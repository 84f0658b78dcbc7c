"""Exercises: `check` an answer, get a `hint`, see a worked `solution`. One file holds one lesson's."""

import difflib
import importlib
import inspect
import pkgutil

from course_utils import lesson
from course_utils.exercises.exercise import NotTriedError, WrongAnswerError, examine

EXERCISES = {
    exercise.name: exercise
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__))
    if module.startswith("lesson_")
    for exercise in importlib.import_module(f"{__name__}.{module}").EXERCISES
}

_hints_given = dict.fromkeys(EXERCISES, 0)


def check(name, answer):
    """Check an answer: say in a line each what holds, and of the first that fails what was expected.

    A stub that still raises `NotImplementedError` is "not tried yet", and nothing more. A wrong answer
    raises nothing either, so that a lesson runs to its end.

    Args:
        name: the exercise, such as "02.windows".
        answer: the function that the exercise asks for.

    Raises:
        ValueError: there is no exercise of that name.
    """
    exercise = _find(name)
    solved = False
    print(name)
    try:
        for sentence in examine(exercise, answer):
            print(f"  ✓ {sentence}")
        solved = True
        print("  Solved.")
    except NotTriedError:
        print(f'  Not tried yet. Stuck? Call hint("{name}").')
    except WrongAnswerError as error:
        print(f"  ✗ {error.sentence}")
        if error.expected is not None:
            print(f"      expected: {error.expected}")
        print(f"      came:     {error.came}")
        exercise.draw(answer)
    lesson.log({"kind": "exercise", "name": name, "solved": solved})


def hint(name):
    """Print one hint more at each call.

    Raises:
        ValueError: there is no exercise of that name.
    """
    hints = _find(name).hints
    _hints_given[name] = min(_hints_given[name] + 1, len(hints) + 1)
    given = _hints_given[name]
    if given <= len(hints):
        print(f"Hint {given} of {len(hints)}: {hints[given - 1]}")
    else:
        print(f'No more hints. solution("{name}") shows a worked solution.')


def solution(name):
    """Print the source of a worked solution.

    Raises:
        ValueError: there is no exercise of that name.
    """
    print(solution_source(name))


def solution_source(name):
    """Return the source of a worked solution.

    Raises:
        ValueError: there is no exercise of that name.
    """
    return inspect.getsource(_find(name).solution).rstrip()


def _find(name):
    if isinstance(name, str) and name in EXERCISES:
        return EXERCISES[name]
    close = difflib.get_close_matches(str(name), EXERCISES, n=1, cutoff=0)
    raise ValueError(
        f"There is no exercise of that name; the closest is {close[0]!r}, and there are "
        f"{', '.join(EXERCISES)}. Received: name={name!r}"
    )

"""Exercises: `check` an answer, go on with your `own`, get a `hint`, see a `solution`; and `vote`.

One file holds the exercises of one lesson.
"""

import difflib
import importlib
import inspect
import pkgutil
from numbers import Integral

import numpy as np

from course_utils import lesson
from course_utils.exercises import statements
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
        answer: the function or the class that the exercise asks for.

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
        exercise.draw(answer, solved)
    except NotTriedError:
        print(f'  Not tried yet. Stuck? Call hint("{name}").')
    except WrongAnswerError as error:
        print(f"  ✗ {error.sentence}")
        if error.expected is not None:
            print(f"      expected: {error.expected}")
        print(f"      came:     {error.came}")
        exercise.draw(answer, solved)
    lesson.log({"kind": "exercise", "name": name, "solved": solved})


def own(name, answer, otherwise):
    """Return the answer to an exercise where it passes `check`, otherwise the course's part, and say which.

    Args:
        name: the exercise, such as "04.lstm_cell".
        answer: the class or the function that was checked.
        otherwise: the class or the function of the course that does the same.

    Raises:
        ValueError: there is no exercise of that name, or `otherwise` cannot be called.
    """
    exercise = _find(name)
    if not callable(otherwise):
        raise ValueError(f"`otherwise` must be a class or a function. Received: otherwise={otherwise!r:.80}")
    try:
        for _ in examine(exercise, answer):
            pass
    except (NotTriedError, WrongAnswerError):
        print(f"From here on: {_name(otherwise)} of the course, because {name} is not solved yet.")
        return otherwise
    print(f"From here on: your {_name(answer)}, because it passes {name}.")
    return answer


def vote(lesson, votes):
    """Vote on what is often said: show the verdict and the figures of each statement that has a vote.

    Args:
        lesson: the number of the lesson, such as "04".
        votes: a dict from the number of a statement to True (it holds), False (it does not hold), "depends"
            (it holds only under a condition), or None for no vote yet, which leaves the verdict hidden.

    Raises:
        ValueError: there is no lesson with statements of that number, `votes` is no such dict, or it has a
            statement that this lesson does not settle.
    """
    settled = statements.of_lesson(lesson)
    if not isinstance(votes, dict) or not votes:
        raise ValueError(
            f'`votes` must be a dict from a statement\'s number to True, False, "depends" or None. '
            f"Received: votes={votes!r:.80}"
        )
    for number, given in votes.items():
        if isinstance(number, bool) or not isinstance(number, Integral) or number not in settled:
            raise ValueError(
                f"Lesson {lesson} settles the statements {', '.join(map(str, settled))}. "
                f"Received: votes={votes!r:.80}"
            )
        is_word = isinstance(given, str) and given == statements.DEPENDS
        if given is not None and not is_word and not isinstance(given, (bool, np.bool_)):
            raise ValueError(f'A vote is True, False, "depends" or None. Received: votes={votes!r:.80}')
    for number, given in votes.items():
        statements.show(number, settled[number], given)
    if None in votes.values():
        print('Does it hold? Put True, False or "depends" in place of None, and run this cell again.')


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


def _name(part):
    return getattr(part, "__name__", type(part).__name__)


def _find(name):
    if isinstance(name, str) and name in EXERCISES:
        return EXERCISES[name]
    close = difflib.get_close_matches(str(name), EXERCISES, n=1, cutoff=0)
    raise ValueError(
        f"There is no exercise of that name; the closest is {close[0]!r}, and there are "
        f"{', '.join(EXERCISES)}. Received: name={name!r}"
    )

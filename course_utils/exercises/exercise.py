"""What an exercise is, and how an answer to it is examined."""

import copy
import inspect
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


class NotTriedError(Exception):
    """The answer is still the stub of the lesson."""


class WrongAnswerError(Exception):
    """A property that does not hold: what was expected, None where that says nothing, and what came.

    Properties raise it; `examine` adds the property's sentence.
    """

    def __init__(self, expected, came):
        super().__init__(f"came {came}" if expected is None else f"expected {expected}, came {came}")
        self.expected, self.came, self.sentence = expected, came, None


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    Attributes:
        name: lesson and name, such as "02.windows".
        solution: a worked solution, with the signature and the docstring of the stub.
        properties: pairs of a sentence and a function that takes the answer and raises
            `WrongAnswerError` where the sentence is not true of it. In the order in which they help most.
        hints: from a nudge to nearly the solution.
        picture: a function that takes the answer and draws what it does, or None.
    """

    name: str
    solution: Callable
    properties: list
    hints: list
    picture: Callable | None = field(default=None)

    def draw(self, answer):
        """Draw what a wrong answer does, where a picture helps and the answer can be drawn."""
        if self.picture is None:
            return
        try:
            self.picture(_Guarded(answer))
        except Exception:
            import matplotlib.pyplot as plt

            plt.close()


def examine(exercise, answer):
    """Yield the sentence of each property that holds, and raise at the first that does not.

    Raises:
        NotTriedError: the answer raises `NotImplementedError`.
        WrongAnswerError: a property does not hold, or the answer fails, returns nothing or changes an
            argument.
    """
    guarded = _Guarded(answer)
    for sentence, holds in exercise.properties:
        try:
            holds(guarded)
        except WrongAnswerError as error:
            error.sentence = sentence
            raise
        except NotTriedError:
            raise
        except Exception as error:  # the answer gave something that the property cannot work with
            wrong = WrongAnswerError("what the docstring asks for", f"a result that cannot be read: {error}")
            wrong.sentence = sentence
            raise wrong from error
        yield sentence
    if guarded.changed:
        names = list(inspect.signature(exercise.solution).parameters)
        changed = ", ".join(f"`{names[place]}`" for place in sorted(guarded.changed))
        wrong = WrongAnswerError("arguments that are as they were after the call", f"a change in {changed}")
        wrong.sentence = "leaves its arguments as they are"
        raise wrong


def brief(value):
    """Return the representation of a value in at most a line."""
    return " ".join(reprlib.repr(value).split())


class _Guarded:
    """An answer that works on copies, and in which whatever goes wrong is a wrong answer.

    `changed` has the places of the arguments that the answer has changed.
    """

    def __init__(self, answer):
        self.answer, self.changed = answer, set()

    def __call__(self, *arguments):
        if not callable(self.answer):
            raise WrongAnswerError(
                "the function that you wrote, without brackets after its name", brief(self.answer)
            )
        given = copy.deepcopy(arguments)
        try:
            with np.errstate(all="ignore"):
                returned = self.answer(*given)
        except NotImplementedError as error:
            raise NotTriedError from error
        except WrongAnswerError:  # from a function that the answer was given
            raise
        except Exception as error:
            raise WrongAnswerError("no error", f"{type(error).__name__}: {error}") from error
        if returned is None:
            raise WrongAnswerError("a value", "None: is a return missing?")
        self.changed |= {
            place for place, pair in enumerate(zip(arguments, given, strict=True)) if not _same(*pair)
        }
        return returned


def _same(before, after):
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    return True

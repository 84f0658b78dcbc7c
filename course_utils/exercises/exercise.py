"""What an exercise is, and how an answer to it is examined."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field


class NotTriedError(Exception):
    """The answer is still the stub of the lesson."""


class WrongAnswerError(Exception):
    """A property that does not hold: what was expected, and what came.

    Properties raise it; `examine` adds the property's sentence.
    """

    def __init__(self, expected, came):
        super().__init__(f"expected {expected}, came {came}")
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
            self.picture(answer)
        except Exception:
            import matplotlib.pyplot as plt

            plt.close()


def examine(exercise, answer):
    """Yield the sentence of each property that holds, and raise at the first that does not.

    Raises:
        NotTriedError: the answer raises `NotImplementedError`.
        WrongAnswerError: a property does not hold, or the answer fails or returns nothing.
    """
    for sentence, holds in exercise.properties:
        try:
            holds(_guarded(answer))
        except WrongAnswerError as error:
            error.sentence = sentence
            raise
        except NotTriedError:
            raise
        except Exception as error:  # the answer gave something that the property cannot work with
            wrong = WrongAnswerError("what the docstring asks for", f"something else: {error}")
            wrong.sentence = sentence
            raise wrong from error
        yield sentence


def _guarded(answer):
    """Wrap an answer: it may not change what it is given, and whatever goes wrong in it is a wrong answer."""
    if not callable(answer):
        raise WrongAnswerError("the function that you wrote, without brackets after its name", repr(answer))

    def guarded(*arguments):
        try:
            returned = answer(*copy.deepcopy(arguments))
        except NotImplementedError as error:
            raise NotTriedError from error
        except Exception as error:
            raise WrongAnswerError("no error", f"{type(error).__name__}: {error}") from error
        if returned is None:
            raise WrongAnswerError("a value", "None: is a return missing?")
        return returned

    return guarded

"""What an exercise is, and how an answer to it is examined."""

import copy
import inspect
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

KERAS_ADDS = (  # to the message of an error; what stands in the group is of the error itself
    re.compile(
        r"Exception encountered when calling .*?\n\n(?:\x1b\[1m)?(.*?)(?:\x1b\[0m)?\n\nArguments", re.DOTALL
    ),
    re.compile(r"Could not automatically infer .* Error encountered:\n\n(.*)", re.DOTALL),
    re.compile(r"in user code:\n.*\n\s*\w+: (.*)", re.DOTALL),
)
TENSORFLOW_ADDS = re.compile(r"\{\{.*?\}\}\s*|\s*\[Op:.*|\s*Call arguments received by.*", re.DOTALL)
LONGEST_MESSAGE = 200


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
        solution: a worked solution, a function or a class, with the name, the signature and the docstring
            of the stub.
        properties: pairs of a sentence and a function that takes the answer and raises
            `WrongAnswerError` where the sentence is not true of it. In the order in which they help most.
        hints: from a nudge to nearly the solution.
        picture: a function that takes a wrong answer and draws what it does, or None.
        result: a function that takes a right answer and draws what it has measured, or None.
    """

    name: str
    solution: Callable
    properties: list
    hints: list
    picture: Callable | None = field(default=None)
    result: Callable | None = field(default=None)

    @property
    def kind(self):
        """What is asked for: a "class" or a "function"."""
        return "class" if inspect.isclass(self.solution) else "function"

    def draw(self, answer, solved):
        """Draw what an answer does, where a picture helps and the answer can be drawn."""
        drawn = self.result if solved else self.picture
        if drawn is None:
            return
        try:
            drawn(_Guarded(answer, self.kind))
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
    guarded = _Guarded(answer, exercise.kind)
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


def described(error):
    """Return the type and the message of an error in a line, without what Keras and TensorFlow add to it."""
    message = str(getattr(error, "message", None) or error)
    for pattern in KERAS_ADDS:
        found = pattern.search(message)
        message = found[1] if found else message
    message = " ".join(TENSORFLOW_ADDS.sub("", message).split())
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE].rpartition(" ")[0] + " ..."
    return f"{type(error).__name__}: {message}"


def brief(value):
    """Return the representation of a value in at most a line."""
    return " ".join(reprlib.repr(value).split())


class _Guarded:
    """An answer that works on copies, and in which whatever goes wrong is a wrong answer.

    `changed` has the places of the arguments that the answer has changed.
    """

    def __init__(self, answer, kind="function"):
        self.answer, self.kind, self.changed = answer, kind, set()

    def __call__(self, *arguments):
        if not callable(self.answer):
            raise WrongAnswerError(
                f"the {self.kind} that you wrote, without brackets after its name", brief(self.answer)
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
            raise WrongAnswerError("no error", described(error)) from error
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

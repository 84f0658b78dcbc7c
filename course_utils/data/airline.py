"""Airline passengers: the best known monthly series, with its split in time."""

from dataclasses import dataclass

import numpy as np

from course_utils._validation import require_numbers, require_whole

# International airline passengers in thousands, monthly, January 1949 to December 1960:
# Box and Jenkins 1970, "Time Series Analysis", series G.
THOUSANDS = np.array(
    [
        [112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118],
        [115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140],
        [145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166],
        [171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194],
        [196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201],
        [204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229],
        [242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278],
        [284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306],
        [315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336],
        [340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337],
        [360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405],
        [417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432],
    ],
    "float32",
)


@dataclass(frozen=True, repr=False)
class Airline:
    """Windows of one series, split in time.

    Attributes:
        passengers: the whole series in thousands, `(144,)`.
        mean, deviation: of the logarithm, over the training months only.
        train_inputs, test_inputs: scaled windows, `(examples, window, 1)`.
        train_labels, test_labels: the scaled month that follows each window, `(examples,)`.
        train_months: number of months before the first one that is tested.
    """

    passengers: np.ndarray
    mean: float
    deviation: float
    train_inputs: np.ndarray
    train_labels: np.ndarray
    test_inputs: np.ndarray
    test_labels: np.ndarray
    train_months: int

    def __repr__(self):
        """Say the sizes."""
        return (
            f"Airline: {len(self.passengers)} months, {len(self.train_labels)} windows to train, "
            f"{len(self.test_labels)} months to test"
        )

    def scale(self, passengers):
        """Turn thousands of passengers into what the network reads.

        Raises:
            ValueError: they are no numbers, or not all positive.
        """
        passengers = require_numbers("passengers", passengers)
        if passengers.min() <= 0:
            raise ValueError(f"`passengers` must be positive. Received: passengers={passengers.min()}")
        return (np.log(passengers) - self.mean) / self.deviation

    def unscale(self, scaled):
        """Turn what the network answers into thousands of passengers.

        Raises:
            ValueError: it is no numbers.
        """
        return np.exp(require_numbers("scaled", scaled) * self.deviation + self.mean)


def airline(window=24, test_months=36):
    """Return the airline passengers 1949 to 1960 as windows, each followed by the month to forecast.

    The series is scaled by the training months alone: the test months must not be seen, not even by
    a mean. A test window may begin in the training months; the month that it forecasts does not.

    Args:
        window: months that the network reads.
        test_months: months at the end that are forecast, one step ahead.

    Returns:
        An `Airline`.

    Raises:
        ValueError: a number is not whole and positive, or no training window is left.
    """
    passengers = THOUSANDS.ravel()
    window, test_months = require_whole("window", window), require_whole("test_months", test_months)
    train_months = len(passengers) - test_months
    if train_months <= window:
        raise ValueError(
            f"`window` and `test_months` must leave a month to train on, out of {len(passengers)}. "
            f"Received: window={window}, test_months={test_months}"
        )
    logarithm = np.log(passengers)
    mean, deviation = logarithm[:train_months].mean(), logarithm[:train_months].std()
    scaled = (logarithm - mean) / deviation
    inputs = np.lib.stride_tricks.sliding_window_view(scaled, window)[:-1, :, None]
    labels = scaled[window:]
    split = train_months - window
    return Airline(
        passengers,
        float(mean),
        float(deviation),
        inputs[:split],
        labels[:split],
        inputs[split:],
        labels[split:],
        train_months,
    )

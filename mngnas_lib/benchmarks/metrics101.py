"""The protocol buffer in which NAS-Bench-101's official file holds one training run.

Google's ``protobuf`` reads it by a description that is made here, with what the kit needs: the official one
(``ModelMetrics`` in the project google-research/nasbench) also has the total time and the place of a checkpoint. All
fields are optional in the official description; here they are required, so that a message that lacks one is refused.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

#: Number and type of the fields of an evaluation: times in seconds, accuracies as fractions
_EVALUATION = {
    "current_epoch": 1,
    "training_time": 2,
    "train_accuracy": 3,
    "validation_accuracy": 4,
    "test_accuracy": 5,
}


class Evaluation(NamedTuple):
    """Accuracies (fractions) of a network at one time of its training, and how long it had been trained, in seconds."""

    valid: float
    test: float
    train: float
    seconds: float


class Run(NamedTuple):
    """One training run: halfway, and after its last epoch."""

    params: int
    halfway: Evaluation
    final: Evaluation


def parse_run(message: bytes, epochs: int) -> Run:
    """The run that a message is about.

    A network is evaluated three times: before, halfway and at the end. What counts is the end, never the best epoch.

    Raises:
        ValueError: the message is damaged, lacks a field, or is not of a run of so many epochs.
    """
    try:
        metrics = _message_class().FromString(message)
    except DecodeError as error:
        raise ValueError(f"its metrics are no protocol buffer of the official form ({error})") from error
    if not metrics.IsInitialized():
        raise ValueError(f"its metrics lack {', '.join(metrics.FindInitializationErrors())}")
    evaluations = metrics.evaluation_data
    reached = [evaluation.current_epoch for evaluation in evaluations]
    if reached != [0, epochs / 2, epochs]:
        raise ValueError(f"evaluated at epochs {reached} instead of {[0, epochs / 2, epochs]}")
    return Run(metrics.trainable_parameters, _evaluation(evaluations[1]), _evaluation(evaluations[2]))


def _evaluation(message: Message) -> Evaluation:
    return Evaluation(message.validation_accuracy, message.test_accuracy, message.train_accuracy, message.training_time)


@lru_cache(maxsize=1)
def _message_class() -> type[Message]:
    """In a pool of its own, where the official package's description of the same name does not meet it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for name, number in _EVALUATION.items():
        evaluation.field.add(name=name, number=number, type=field.TYPE_DOUBLE, label=field.LABEL_REQUIRED)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".nasbench.EvaluationData",
        label=field.LABEL_REPEATED,
    )
    metrics.field.add(name="trainable_parameters", number=2, type=field.TYPE_INT32, label=field.LABEL_REQUIRED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))

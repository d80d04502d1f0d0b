"""Pictures of a training, its gradients, weights and decision boundaries; written or shown."""

from nn.plots.boundary import decision_boundary
from nn.plots.language import attention_maps, embedding_map, loss_by_step
from nn.plots.pictures import gradient_by_depth, gradient_flow, loss_curve, weight_images

__all__ = [
    "attention_maps",
    "decision_boundary",
    "embedding_map",
    "gradient_by_depth",
    "gradient_flow",
    "loss_by_step",
    "loss_curve",
    "weight_images",
]

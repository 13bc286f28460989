package dev.pollux.finetune.internal.training;

/**
 * The divergence of a model's predictions from those of a teacher. <em>Immutable.</em>
 *
 * @param beta 0 for KL(teacher ‖ model), 1 for KL(model ‖ teacher), between them the generalized Jensen-Shannon divergence
 * @param temperature by which the logits of both are divided, above 0
 */
public record TeacherLoss(double beta, double temperature) {}

package dev.pollux.finetune.internal.differentiation;

/** The vector-Jacobian product of an operator: from the gradients of its results to those of its inputs. <em>Thread-safe.</em> */
@FunctionalInterface
interface Rule {

    /**
     * Adds the operators of the product to the graph and reports the gradients by {@link BackwardNode#gradient}.
     *
     * @throws dev.pollux.UnsupportedModelException if the rule does not cover an attribute of the node
     */
    void apply(BackwardNode n);
}

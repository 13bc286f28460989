package dev.pollux.merge;

import dev.pollux.tensor.TensorSource;
import java.util.Optional;
import java.util.Set;

/** What an adapter does to the tensors of a model, by the names that it has for them. */
interface AdapterChanges {

    /** The adapter's name, for messages. */
    String label();

    /** The tensors it changes. */
    Set<String> targets();

    /** Whether the head of a tied model changes as the embedding does, and stays tied to it. */
    boolean tiesHead();

    /** The matrix that it holds of {@code target} as the one that it was trained over, where it is not the model's. */
    Optional<TensorSource> base(String target);

    /**
     * A tensor with the change.
     *
     * @param target one of {@link #targets}
     * @param tensor the model's
     * @param transposed whether the model stores the matrix as (in, out)
     * @param label of the result
     */
    TensorSource adapted(String target, TensorSource tensor, boolean transposed, String label);
}

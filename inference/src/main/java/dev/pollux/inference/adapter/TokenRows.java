package dev.pollux.inference.adapter;

import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * New values for some rows of an embedding. <em>Immutable.</em>
 *
 * @param tokens token ids, at least 0, in the order of {@code values}
 * @param values (tokens, hidden size)
 */
public record TokenRows(List<Integer> tokens, TensorSource values) {

    public TokenRows {
        tokens = List.copyOf(tokens);
        if (values.shape().size() != 2 || values.shape().get(0) != tokens.size()) {
            throw new IllegalArgumentException(
                    "values must be a row for each of " + tokens.size() + " tokens but are " + values.shape());
        }
    }
}

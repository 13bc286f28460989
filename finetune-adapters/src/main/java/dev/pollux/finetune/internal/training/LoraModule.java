package dev.pollux.finetune.internal.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The trained change of one matrix W: W′ = W + scale·B·A, with DoRA each row in the length of {@code magnitude}.
 *
 * @param tensor the name of W, (rows, columns)
 * @param scale of B·A and of the bias of B
 * @param a (rank, columns)
 * @param b (rows, rank)
 * @param bias the bias of B, (rows)
 * @param magnitude (rows)
 */
public record LoraModule(
        String tensor,
        double scale,
        Parameter a,
        Parameter b,
        Optional<Parameter> bias,
        Optional<Parameter> magnitude) {

    public int rank() {
        return Math.toIntExact(a.shape().get(0));
    }

    public int columns() {
        return Math.toIntExact(a.shape().get(1));
    }

    public int rows() {
        return Math.toIntExact(b.shape().get(0));
    }

    /** Its parameters, in the order of their kinds. */
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>(List.of(a, b));
        magnitude.ifPresent(all::add);
        bias.ifPresent(all::add);
        return all;
    }

    /** The same values as they are now. */
    LoraModule copy() {
        return new LoraModule(
                tensor, scale, a.copy(), b.copy(), bias.map(Parameter::copy), magnitude.map(Parameter::copy));
    }
}

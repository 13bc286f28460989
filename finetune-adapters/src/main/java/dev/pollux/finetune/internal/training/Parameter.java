package dev.pollux.finetune.internal.training;

import java.util.Arrays;
import java.util.List;

/** Values that training changes, with the sum of their gradients. <em>Confined to one thread.</em> */
public final class Parameter {

    private final String tensor;
    private final Kind kind;
    private final List<Long> shape;
    private final float[] values;
    private float[] gradient = new float[0]; // of the size of the values once it is asked for

    /** The part of an adapter that it is. */
    public enum Kind {
        /** The first factor, (rank, columns). */
        A,
        /** The second factor, (rows, rank). */
        B,
        /** The lengths of the rows (DoRA), (rows). */
        MAGNITUDE,
        /** The bias of the second factor, (rows). */
        ADDED_BIAS,
        /** The bias of the model, (rows). */
        BIAS,
        /** A matrix of the model. */
        WHOLE;

        /** Whether weight decay spares it, as biases are spared by transformers. */
        public boolean isBias() {
            return this == ADDED_BIAS || this == BIAS;
        }
    }

    /**
     * A parameter.
     *
     * @param tensor the tensor of the model that it changes
     * @param values its initial values in row-major order, which training changes
     */
    public Parameter(String tensor, Kind kind, List<Long> shape, float[] values) {
        this.tensor = tensor;
        this.kind = kind;
        this.shape = List.copyOf(shape);
        this.values = values;
    }

    /** The tensor of the model that it changes. */
    public String tensor() {
        return tensor;
    }

    public Kind kind() {
        return kind;
    }

    public List<Long> shape() {
        return shape;
    }

    /** Its values, which the caller may change. */
    public float[] values() {
        return values;
    }

    /** The sum of its gradients, which the caller may change. */
    public float[] gradient() {
        if (gradient.length != values.length) {
            gradient = new float[values.length];
        }
        return gradient;
    }

    /** A name that no other parameter has. */
    public String name() {
        return tensor + " " + kind;
    }

    /** Sets the sum of gradients to 0. */
    public void clearGradient() {
        Arrays.fill(gradient, 0);
    }

    /** A copy of its values, without gradients. */
    Parameter copy() {
        return new Parameter(tensor, kind, shape, values.clone());
    }
}

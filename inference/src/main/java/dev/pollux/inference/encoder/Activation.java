package dev.pollux.inference.encoder;

import java.util.Arrays;
import java.util.Optional;

/** Activation functions of dense modules, under the last part of their PyTorch class names, with PyTorch's defaults. */
enum Activation {
    IDENTITY("Identity"),
    TANH("Tanh"),
    RELU("ReLU"),
    LEAKY_RELU("LeakyReLU"),
    ELU("ELU"),
    SIGMOID("Sigmoid"),
    SILU("SiLU"),
    SOFTPLUS("Softplus");

    /** Above it ln(1 + e^x) is x in single precision. */
    private static final double SOFTPLUS_LINEAR = 20;

    private final String torchName;

    Activation(String torchName) {
        this.torchName = torchName;
    }

    static Optional<Activation> of(String torchClass) {
        String name = torchClass.substring(torchClass.lastIndexOf('.') + 1);
        return Arrays.stream(values())
                .filter(activation -> activation.torchName.equals(name))
                .findFirst();
    }

    String torchName() {
        return torchName;
    }

    double of(double x) {
        return switch (this) {
            case IDENTITY -> x;
            case TANH -> Math.tanh(x);
            case RELU -> Math.max(0, x);
            case LEAKY_RELU -> x < 0 ? 0.01 * x : x;
            case ELU -> x < 0 ? Math.expm1(x) : x;
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case SILU -> x / (1 + Math.exp(-x));
            case SOFTPLUS -> x > SOFTPLUS_LINEAR ? x : Math.log1p(Math.exp(x));
        };
    }
}

package dev.pollux.inference.encoder;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** Activation functions of dense modules, under the last part of their PyTorch class names. */
enum Activation {
    IDENTITY("Identity", x -> x),
    TANH("Tanh", Math::tanh),
    RELU("ReLU", x -> Math.max(0, x)),
    LEAKY_RELU("LeakyReLU", x -> x < 0 ? 0.01 * x : x),
    ELU("ELU", x -> x < 0 ? Math.expm1(x) : x),
    SIGMOID("Sigmoid", Activation::sigmoid),
    SILU("SiLU", x -> x * sigmoid(x)),
    SOFTPLUS("Softplus", x -> x > 20 ? x : Math.log1p(Math.exp(x)));

    private final String torchName;
    private final DoubleUnaryOperator function;

    Activation(String torchName, DoubleUnaryOperator function) {
        this.torchName = torchName;
        this.function = function;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
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
        return function.applyAsDouble(x);
    }
}

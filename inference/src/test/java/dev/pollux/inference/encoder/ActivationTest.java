package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationTest {

    /** The expected values are given to seven digits. */
    private static final double DIGITS = 1e-6;

    @ParameterizedTest
    @CsvSource({
        "torch.nn.modules.linear.Identity, -1.5, -1.5",
        "torch.nn.modules.activation.Tanh, -1.5, -0.9051483",
        "torch.nn.modules.activation.ReLU, -1.5, 0",
        "torch.nn.modules.activation.ReLU, 1.5, 1.5",
        "torch.nn.modules.activation.LeakyReLU, -1.5, -0.015",
        "torch.nn.modules.activation.ELU, -1.5, -0.7768698",
        "torch.nn.modules.activation.ELU, 1.5, 1.5",
        "torch.nn.modules.activation.Sigmoid, -1.5, 0.1824255",
        "torch.nn.modules.activation.SiLU, -1.5, -0.2736383",
        "torch.nn.modules.activation.SiLU, -800, 0",
        "torch.nn.modules.activation.Softplus, -1.5, 0.2014133",
        "torch.nn.modules.activation.Softplus, 800, 800",
    })
    void isWhatPyTorchComputes(String name, double x, double expected) {
        assertThat(Activation.of(name))
                .hasValueSatisfying(activation -> assertThat(activation.of(x)).isCloseTo(expected, within(DIGITS)));
    }
}

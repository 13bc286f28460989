package dev.pollux.samples.cli;

import dev.pollux.quantization.QuantizationMethod;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The names of methods of quantization. */
final class MethodConverter implements ITypeConverter<QuantizationMethod> {

    @Override
    public QuantizationMethod convert(String value) {
        return QuantizationMethod.of(value)
                .orElseThrow(() -> new TypeConversionException("must be one of "
                        + String.join(", ", QuantizationMethod.texts()) + " but was '" + value + "'"));
    }
}

package dev.pollux.samples.cli;

import dev.pollux.inference.decoder.ExportOptions.Weights;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code exact}, {@code float}, {@code 8bit} or {@code 4bit}. */
final class WeightsConverter implements ITypeConverter<Weights> {

    private static final Map<Weights, String> NAMES =
            Map.of(Weights.EXACT, "exact", Weights.FLOAT, "float", Weights.BITS_8, "8bit", Weights.BITS_4, "4bit");

    @Override
    public Weights convert(String value) {
        return Arrays.stream(Weights.values())
                .filter(weights -> name(weights).equals(value.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new TypeConversionException("must be exact, float, 8bit or 4bit but was '" + value + "'"));
    }

    static String name(Weights weights) {
        return NAMES.getOrDefault(weights, weights.name().toLowerCase(Locale.ROOT));
    }
}

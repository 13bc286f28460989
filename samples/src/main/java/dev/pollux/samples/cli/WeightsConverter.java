package dev.pollux.samples.cli;

import dev.pollux.inference.decoder.WeightFormat;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code exact}, {@code float}, {@code 8bit} or {@code 4bit}. */
final class WeightsConverter implements ITypeConverter<WeightFormat> {

    private static final Map<WeightFormat, String> NAMES = Map.of(
            WeightFormat.EXACT,
            "exact",
            WeightFormat.FLOAT,
            "float",
            WeightFormat.BITS_8,
            "8bit",
            WeightFormat.BITS_4,
            "4bit");

    @Override
    public WeightFormat convert(String value) {
        return Arrays.stream(WeightFormat.values())
                .filter(weights -> name(weights).equals(value.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new TypeConversionException("must be exact, float, 8bit or 4bit but was '" + value + "'"));
    }

    static String name(WeightFormat weights) {
        return NAMES.getOrDefault(weights, weights.name().toLowerCase(Locale.ROOT));
    }
}

package dev.pollux.samples.cli;

import dev.pollux.quantization.QuantizationRecipe.Range;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The names of ways to find the range of an activation. */
final class RangeConverter implements ITypeConverter<Range> {

    @Override
    public Range convert(String value) {
        return Arrays.stream(Range.values())
                .filter(range -> name(range).equals(value.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("must be one of "
                        + Arrays.stream(Range.values())
                                .map(RangeConverter::name)
                                .collect(Collectors.joining(", "))
                        + " but was '" + value + "'"));
    }

    private static String name(Range range) {
        return range.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

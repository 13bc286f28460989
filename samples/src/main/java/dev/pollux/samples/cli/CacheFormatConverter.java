package dev.pollux.samples.cli;

import dev.pollux.inference.decoder.CacheFormat;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code float32} or {@code float16}. */
final class CacheFormatConverter implements ITypeConverter<CacheFormat> {

    @Override
    public CacheFormat convert(String value) {
        return Arrays.stream(CacheFormat.values())
                .filter(format -> format.name().equals(value.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("must be float32 or float16 but was '" + value + "'"));
    }
}

package dev.pollux.samples.cli;

import dev.pollux.rag.chunk.ChunkStrategy;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The name of a {@link ChunkStrategy}, in lower case with hyphens. */
final class ChunkStrategyConverter implements ITypeConverter<ChunkStrategy> {

    @Override
    public ChunkStrategy convert(String value) {
        return Arrays.stream(ChunkStrategy.values())
                .filter(strategy -> name(strategy).equals(value.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("must be "
                        + Arrays.stream(ChunkStrategy.values())
                                .map(ChunkStrategyConverter::name)
                                .collect(Collectors.joining(", "))
                                .replaceFirst(", ([^,]*)$", " or $1")
                        + " but was '" + value + "'"));
    }

    static String name(ChunkStrategy strategy) {
        return strategy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

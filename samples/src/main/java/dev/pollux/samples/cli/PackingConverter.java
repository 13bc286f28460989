package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Packing;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the names of ways to pack rows. */
final class PackingConverter implements ITypeConverter<Packing> {

    @Override
    public Packing convert(String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "none" -> Packing.NONE;
            case "best-fit" -> Packing.BEST_FIT;
            case "split" -> Packing.SPLIT;
            case "wrapped" -> Packing.WRAPPED;
            default -> throw new TypeConversionException("must be best-fit, split, wrapped or none but was " + value);
        };
    }
}

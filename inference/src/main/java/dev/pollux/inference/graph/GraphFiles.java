package dev.pollux.inference.graph;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** File names of published ONNX decoders: variants, pairs of graphs and external data. */
public final class GraphFiles {

    /** The file extension of graphs. */
    public static final String ONNX = ".onnx";

    /** The suffixes of variant names after the stem, in order of preference: exact ones first. */
    public static final List<String> ORDER =
            List.of("", "_fp16", "_quantized", "_int8", "_uint8", "_q8", "_q4", "_q4f16", "_bnb4");

    private static final String FIRST = "decoder_model";
    private static final String NEXT = "decoder_with_past_model";
    private static final List<String> STEMS = List.of("model", "decoder_model_merged", FIRST);

    private GraphFiles() {}

    /** The most exact variant among {@code paths}, the first if several are equally exact; empty if no name is known. */
    public static Optional<String> preferred(Collection<String> paths) {
        for (String suffix : ORDER) {
            for (String stem : STEMS) {
                String wanted = stem + suffix + ONNX;
                Optional<String> found =
                        paths.stream().filter(path -> name(path).equals(wanted)).findFirst();
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /**
     * The path of the other graph of a pair; empty if {@code path} is not one of a pair. One graph of a pair runs the first
     * step, the other all later steps.
     */
    public static Optional<String> otherHalf(String path) {
        String folder = path.substring(0, path.length() - name(path).length());
        for (String suffix : ORDER) {
            String first = FIRST + suffix + ONNX;
            String next = NEXT + suffix + ONNX;
            if (name(path).equals(first)) {
                return Optional.of(folder + next);
            }
            if (name(path).equals(next)) {
                return Optional.of(folder + first);
            }
        }
        return Optional.empty();
    }

    /** Whether {@code path} names the graph for later steps of a pair. */
    public static boolean goesOn(String path) {
        return name(path).startsWith(NEXT);
    }

    /**
     * Whether the name of {@code path} is that of external data of {@code graph}: {@code model.onnx_data}, {@code
     * model.onnx.data}.
     */
    public static boolean isData(String graph, String path) {
        return path.startsWith(graph) && path.substring(graph.length()).matches("[._]data(_\\d{1,4})?");
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}

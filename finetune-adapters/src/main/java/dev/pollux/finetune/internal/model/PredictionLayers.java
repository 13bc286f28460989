package dev.pollux.finetune.internal.model;

import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.LayerName;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The layers for multi-token prediction (arXiv 2412.19437), which predict the tokens after the next one. The configuration's
 * layer count excludes them. DeepSeek-V3 and GLM store them as layers after the last; other models store them in a separate
 * module, {@code mtp}.
 */
public final class PredictionLayers {

    private static final List<String> COUNTS = List.of(
            "num_nextn_predict_layers",
            "num_mtp_modules",
            "mtp_num_hidden_layers",
            "mtp_num_layers",
            "num_mtp_layers",
            "num_nextn_layers",
            "num_mtp");

    /** Parts of tensor names that no other layer has. */
    private static final List<String> MARKS = List.of(".eh_proj.", ".enorm.", ".hnorm.", ".shared_head.");

    private static final Pattern MODULE = Pattern.compile("(?:.*\\.)?(?:mtp|nextn)[^.]*\\..+");
    private static final Pattern OTHER_TOWER = Pattern.compile(".*(?:vis|audio|speech|image).*");

    private PredictionLayers() {}

    /**
     * The number of prediction layers among the {@code stored} layers of {@code prefix}.
     *
     * @param names the names of all tensors of the model
     */
    static int after(ObjectNode config, Set<String> names, String prefix, int stored) {
        ObjectNode text = ConfigSections.text(config);
        int counted = ConfigSections.layers(text).orElse(stored);
        if (stored <= counted || OTHER_TOWER.matcher(prefix).matches()) {
            return 0;
        }
        boolean said = stored - counted <= count(text);
        boolean marked = IntStream.range(counted, stored).allMatch(layer -> {
            String start = prefix + layer;
            return names.stream()
                    .anyMatch(name -> name.startsWith(start + ".")
                            && MARKS.stream().anyMatch(mark -> name.startsWith(mark, start.length())));
        });
        return said || marked ? stored - counted : 0;
    }

    private static int count(ObjectNode section) {
        return COUNTS.stream().mapToInt(key -> section.path(key).asInt(0)).max().orElse(0);
    }

    /** Whether a tensor of {@code model} belongs to such a layer. */
    static boolean isPart(String tensor, InputModel model, String prefix) {
        return MODULE.matcher(tensor).matches()
                || LayerName.parse(tensor)
                        .filter(name -> name.prefix().equals(prefix) && name.layer() >= model.layers(prefix))
                        .isPresent();
    }

    /** The tensors of such layers in {@code model}. */
    public static Set<String> of(InputModel model, String prefix) {
        return model.tensors().keySet().stream()
                .filter(name -> isPart(name, model, prefix))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Sets the number of prediction layers in a section to 0. */
    public static void none(ObjectNode section) {
        COUNTS.stream().filter(section::has).forEach(key -> section.put(key, 0));
    }
}

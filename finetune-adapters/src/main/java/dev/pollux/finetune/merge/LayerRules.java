package dev.pollux.finetune.merge;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Settings that derive the kind of a layer from its number, as defined by the configurations of transformers.
 *
 * <p>When layers move, the setting must yield the kinds of the moved layers. It gets another value, or the explicit list that
 * its class reads instead. If neither works, the setting cannot follow.
 *
 * <p>Example with {@code attn_layer_period} 4 and {@code attn_layer_offset} 0 (layers 0 and 4 of 8 have attention): layers 4–7
 * alone keep period and offset. Layers 0, 4, 5, 4 have attention at 0, 1 and 3, and no period fits.
 */
enum LayerRules {
    /** DeepSeek, GLM: layer i has experts if i ≥ first_k_dense_replace and moe_layer_freq divides i. */
    FIRST_DENSE("first_k_dense_replace", true) {
        @Override
        String kind(ObjectNode c, int i, int layers) {
            int frequency = Math.max(1, number(c, "moe_layer_freq", 1));
            return i >= number(c, key(), 0) && i % frequency == 0 ? "experts" : "dense";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return search(c, key(), kinds);
        }
    },
    /** Qwen: experts if decoder_sparse_step divides i + 1 and i is none of mlp_only_layers. */
    SPARSE_STEP("decoder_sparse_step", true) {
        @Override
        boolean isIn(ObjectNode c) {
            return number(c, key(), 0) > 0 && number(c, "num_experts", 1) > 0;
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            boolean only = holds(c.get("mlp_only_layers"), i);
            return !only && (i + 1) % number(c, key(), 1) == 0 ? "experts" : "dense";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            c.put(key(), 1);
            numbers(c.putArray("mlp_only_layers"), kinds, "dense");
            return true;
        }
    },
    /** Llama 4 without a list: experts if interleave_moe_layer_step divides i + 1. */
    INTERLEAVED("interleave_moe_layer_step", true) {
        @Override
        boolean isIn(ObjectNode c) {
            return number(c, key(), 0) > 0 && !(c.get("moe_layers") instanceof ArrayNode);
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            boolean experts =
                    c.get("moe_layers") instanceof ArrayNode list ? holds(list, i) : (i + 1) % number(c, key(), 1) == 0;
            return experts ? "experts" : "dense";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            numbers(c.putArray("moe_layers"), kinds, "experts");
            return true;
        }
    },
    /** Ernie: experts from moe_layer_start_index to moe_layer_end_index (−1: the last) if moe_layer_interval divides i + 1. */
    EXPERT_RANGE("moe_layer_start_index", true) {
        @Override
        String kind(ObjectNode c, int i, int layers) {
            int end = number(c, "moe_layer_end_index", -1);
            boolean within = i >= number(c, key(), 0) && i <= (end < 0 ? layers - 1 : end);
            return within && (i + 1) % Math.max(1, number(c, "moe_layer_interval", 1)) == 0 ? "experts" : "dense";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            if (c.has("moe_layer_end_index")) {
                c.put("moe_layer_end_index", Math.max(0, kinds.lastIndexOf("experts")));
            }
            return search(c, key(), kinds);
        }
    },
    /** Jamba: attention if i mod attn_layer_period = attn_layer_offset. */
    ATTENTION_PERIOD("attn_layer_period", true) {
        @Override
        String kind(ObjectNode c, int i, int layers) {
            return i % Math.max(1, number(c, key(), 1)) == number(c, "attn_layer_offset", 0) ? "attention" : "mamba";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return search(c, "attn_layer_offset", kinds);
        }
    },
    /** Jamba: experts if i mod expert_layer_period = expert_layer_offset. */
    EXPERT_PERIOD("expert_layer_period", true) {
        @Override
        String kind(ObjectNode c, int i, int layers) {
            return i % Math.max(1, number(c, key(), 1)) == number(c, "expert_layer_offset", 0) ? "experts" : "dense";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return search(c, "expert_layer_offset", kinds);
        }
    },
    /** Qwen 3 Next without a list: full attention if full_attention_interval divides i + 1, otherwise linear attention. */
    FULL_INTERVAL("full_attention_interval", true) {
        @Override
        boolean isIn(ObjectNode c) {
            return super.isIn(c) && !hasTypes(c);
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            return type(c, i)
                    .orElseGet(() ->
                            (i + 1) % Math.max(1, number(c, key(), 1)) == 0 ? "full_attention" : "linear_attention");
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return types(c, kinds);
        }
    },
    /** Gemma 3n: the last num_kv_shared_layers layers take keys and values of an earlier one. */
    SHARED_KEYS("num_kv_shared_layers", true) {
        @Override
        String kind(ObjectNode c, int i, int layers) {
            return i >= layers - number(c, key(), 0) ? "shared" : "own";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return search(c, key(), kinds);
        }
    },
    /** Hunyuan: keys and values are computed by every cla_share_factor-th layer. */
    SHARE_FACTOR("cla_share_factor", true) {
        @Override
        boolean isIn(ObjectNode c) {
            return super.isIn(c) && c.path("use_cla").asBoolean(false);
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            return i % Math.max(1, number(c, key(), 1)) == 0 ? "own" : "shared";
        }
    },
    /** SmolLM3 and Llama 4 without a list: every no_rope_layer_interval-th layer has no rotary positions. */
    NO_ROPE("no_rope_layer_interval", false) {
        @Override
        boolean isIn(ObjectNode c) {
            return super.isIn(c) && !(c.get("no_rope_layers") instanceof ArrayNode list && !list.isEmpty());
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            if (c.get("no_rope_layers") instanceof ArrayNode list && i < list.size()) {
                return list.path(i).asInt(1) == 0 ? "none" : "rotary";
            }
            return (i + 1) % Math.max(1, number(c, key(), 1)) == 0 ? "none" : "rotary";
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            ArrayNode list = c.putArray("no_rope_layers");
            kinds.forEach(kind -> list.add(kind.equals("none") ? 0 : 1));
            return true;
        }
    },
    /** Qwen without a list: a sliding window from layer max_window_layers on. */
    WINDOW_FROM("max_window_layers", false) {
        @Override
        boolean isIn(ObjectNode c) {
            return super.isIn(c) && !hasTypes(c) && c.path("use_sliding_window").asBoolean(false);
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            return type(c, i).orElseGet(() -> i >= number(c, key(), layers) ? SLIDING : FULL);
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return search(c, key(), kinds) || types(c, kinds);
        }
    },
    /** Gemma, Cohere and Exaone without a list: every n-th layer has full attention, or a pattern of L and G repeats. */
    WINDOW_PATTERN("sliding_window_pattern", false) {
        @Override
        boolean isIn(ObjectNode c) {
            return !hasTypes(c) && (period(c) > 0 || c.path(key()).isString());
        }

        @Override
        String kind(ObjectNode c, int i, int layers) {
            String pattern = c.path(key()).isString() ? c.path(key()).asString() : "";
            boolean sliding = pattern.isEmpty()
                    ? (i + 1) % Math.max(1, period(c)) != 0
                    : pattern.charAt(i % pattern.length()) == 'L';
            return type(c, i).orElse(sliding ? SLIDING : FULL);
        }

        @Override
        boolean fit(ObjectNode c, List<String> kinds) {
            return types(c, kinds);
        }

        // The class's default if the configuration has none.
        private int period(ObjectNode c) {
            int own = number(c, key(), number(c, "_sliding_window_pattern", 0));
            return own > 0
                    ? own
                    : switch (c.path("model_type").asString("")) {
                        case "gemma2", "gpt_oss" -> 2;
                        case "cohere2", "olmo3" -> 4;
                        case "gemma3_text", "gemma3" -> 6;
                        default -> 0;
                    };
        }
    };

    private static final String SLIDING = "sliding_attention";
    private static final String FULL = "full_attention";
    private static final String TYPES = "layer_types";

    private final String key;
    private final boolean weights;

    LayerRules(String key, boolean weights) {
        this.key = key;
        this.weights = weights;
    }

    /** The setting. */
    String key() {
        return key;
    }

    /** Whether the tensors of a layer depend on its kind. */
    boolean tellsWeights() {
        return weights;
    }

    /** Whether a section has the setting and uses it. */
    boolean isIn(ObjectNode section) {
        return section.path(key).isInt();
    }

    /** The kind of layer {@code i} of {@code layers}. */
    abstract String kind(ObjectNode section, int i, int layers);

    /** Changes the section so that it yields {@code kinds}; returns false if that is impossible. */
    boolean fit(ObjectNode section, List<String> kinds) {
        return false;
    }

    /** The kinds of all layers of a section. */
    List<String> kinds(ObjectNode section, int layers) {
        return IntStream.range(0, layers)
                .mapToObj(i -> kind(section, i, layers))
                .toList();
    }

    /** The rules that apply to a section. */
    static List<LayerRules> in(ObjectNode section) {
        return List.of(values()).stream().filter(rule -> rule.isIn(section)).toList();
    }

    /** Tries all values up to the number of layers. */
    boolean search(ObjectNode section, String setting, List<String> kinds) {
        JsonNode before = section.path(setting);
        Predicate<Integer> fits = value -> {
            section.put(setting, value);
            return kinds(section, kinds.size()).equals(kinds);
        };
        if (IntStream.rangeClosed(0, kinds.size()).boxed().anyMatch(fits)) {
            return true;
        }
        if (!before.isMissingNode()) {
            section.set(setting, before);
        }
        return false;
    }

    private static int number(ObjectNode section, String key, int otherwise) {
        return section.path(key).isInt() ? section.path(key).asInt() : otherwise;
    }

    private static boolean holds(@Nullable JsonNode list, int number) {
        return list instanceof ArrayNode array
                && IntStream.range(0, array.size()).anyMatch(i -> array.path(i).asInt(-1) == number);
    }

    private static void numbers(ArrayNode into, List<String> kinds, String kind) {
        IntStream.range(0, kinds.size()).filter(i -> kinds.get(i).equals(kind)).forEach(into::add);
    }

    private static boolean hasTypes(ObjectNode section) {
        return section.get(TYPES) instanceof ArrayNode types && !types.isEmpty();
    }

    private static Optional<String> type(ObjectNode section, int i) {
        return section.get(TYPES) instanceof ArrayNode types && i < types.size()
                ? Optional.of(types.path(i).asString(""))
                : Optional.empty();
    }

    private static boolean types(ObjectNode section, List<String> kinds) {
        ArrayNode types = section.putArray(TYPES);
        kinds.forEach(types::add);
        return true;
    }
}

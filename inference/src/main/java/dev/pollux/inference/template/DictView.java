package dev.pollux.inference.template;

import java.util.List;

/** What {@code dict.keys()}, {@code values()} and {@code items()} give: sized and iterable, but no list. <em>As its dict.</em> */
record DictView(Dict dict, Kind kind) {

    enum Kind {
        KEYS("dict_keys"),
        VALUES("dict_values"),
        ITEMS("dict_items");

        final String type;

        Kind(String type) {
            this.type = type;
        }
    }

    List<Object> list() {
        return switch (kind) {
            case KEYS -> dict.keys();
            case VALUES -> dict.values();
            case ITEMS -> dict.pairs();
        };
    }
}

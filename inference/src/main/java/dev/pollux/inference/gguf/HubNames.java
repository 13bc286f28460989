package dev.pollux.inference.gguf;

import dev.pollux.inference.checkpoint.GgufFamily;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GGUF names of tensors by their Hugging Face names: the inverse of {@link GgufFamily#names}. */
final class HubNames {

    /** The number of an expert in a name. */
    private static final Pattern EXPERT = Pattern.compile("(.*\\.experts\\.)(\\d+)(\\..*)");

    /**
     * A name in GGUF.
     *
     * @param expert index within a stacked tensor; −1 if the tensor is not stacked
     */
    record Name(String text, int expert) {}

    private final Pattern layer;
    private final Map<String, String> stored = new HashMap<>();

    HubNames(GgufFamily family, GgufFamily plain) {
        this.layer = Pattern.compile(Pattern.quote(family.names().get("blk")) + "\\.(\\d{1,6})\\.(.+)");
        family.names().forEach((gguf, hub) -> {
            // Of two names for one tensor, the common one is unused.
            if (!stored.containsKey(hub) || !hub.equals(plain.names().get(gguf))) {
                stored.put(hub, gguf);
            }
        });
    }

    /** The name of {@code hub}; empty if the family has no such tensor. */
    Optional<Name> of(String hub) {
        Matcher inLayer = layer.matcher(hub);
        if (!inLayer.matches()) {
            return own(hub).map(name -> new Name(name, -1));
        }
        String prefix = "blk." + inLayer.group(1) + ".";
        String own = inLayer.group(2);
        Matcher expert = EXPERT.matcher(own);
        if (expert.matches() && expert.group(2).length() < 6) {
            return own(expert.group(1) + "%d" + expert.group(3))
                    .map(name -> new Name(prefix + name, Integer.parseInt(expert.group(2))));
        }
        return own(own).map(name -> new Name(prefix + name, -1));
    }

    private Optional<String> own(String hub) {
        int dot = hub.lastIndexOf('.');
        String whole = stored.get(hub);
        if (whole != null || dot < 0) {
            return Optional.ofNullable(whole);
        }
        return Optional.ofNullable(stored.get(hub.substring(0, dot))).map(name -> name + hub.substring(dot));
    }
}

package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Attention as one fused operator with a cache. Norms and rotation are separate operators if the fused one does not support
 * them. <em>Confined to one thread.</em>
 */
final class CachedAttention {

    private final Blocks b;
    private final CachedLowering lowering;
    private final boolean whole;
    private final ElementType cache;
    private Value windowLast = Value.NONE;
    private Value windowTotal = Value.NONE;
    private Optional<SlidingRows> kept = Optional.empty(); // by all layers that keep a window

    CachedAttention(Blocks b, CachedLowering lowering, ExportOptions options) {
        this.b = b;
        this.lowering = lowering;
        this.whole = options.wholeCache();
        this.cache = options.cache().type();
    }

    Value attend(Attention a, Value qkv) {
        boolean packed = !a.isNormed()
                && a.queryFactors().isNone()
                && a.rotary().map(rotary -> rotatesInside(a, rotary)).orElse(true)
                && fusedWidth(a) == a.width();
        if (packed) {
            return fused(a, List.of(qkv, Value.NONE, Value.NONE));
        }
        String p = a.prefix();
        int own = a.heads() * a.width();
        int narrow = a.keyValueHeads() * a.width();
        List<Value> parts = b.split(qkv, List.of(p + "q", p + "k", p + "v"), own, narrow, narrow);
        return attendPrepared(a, parts.get(0), key(a, parts.get(1)), parts.get(2));
    }

    Value attendPrepared(Attention a, Value q, Value key, Value v) {
        Value query = rotated(a, a.normed(q, false), a.heads());
        if (!a.queryFactors().isNone()) {
            query = b.op("Mul", a.prefix() + "q.factored", query, a.queryFactors());
        }
        if (fusedWidth(a) == a.width()) {
            return fused(a, List.of(query, key, v));
        }
        Value wide = fused(
                a,
                List.of(
                        widened(a, query, a.heads()),
                        widened(a, key, a.keyValueHeads()),
                        widened(a, v, a.keyValueHeads())));
        String name = wide.name();
        Value byHead = b.perToken(wide, name + ".heads", a.heads(), fusedWidth(a));
        List<Value> parts =
                b.split(byHead, List.of(name + ".narrow", name + ".zeros"), a.width(), fusedWidth(a) - a.width());
        return b.perToken(parts.get(0), name + ".own", (long) a.heads() * a.width());
    }

    Value key(Attention a, Value k) {
        return rotated(a, a.normed(k, true), a.keyValueHeads());
    }

    /** The fused operator rotates only whole heads, by position, with a width that is a multiple of 16. */
    private static boolean rotatesInside(Attention a, Rotary rotary) {
        return rotary.width() == a.width() && a.width() % 16 == 0;
    }

    private Value rotated(Attention a, Value x, int count) {
        Optional<Rotary> rotary = a.rotary();
        return rotary.isEmpty() || rotatesInside(a, rotary.get()) ? x : lowering.rotate(x, count, rotary.get());
    }

    /**
     * The fused operator needs a head width that is a multiple of 8. Other heads are padded with zeros, which do not change
     * scores.
     */
    private static int fusedWidth(Attention a) {
        return (a.width() + 7) / 8 * 8;
    }

    private Value widened(Attention a, Value x, int count) {
        String name = x.name();
        Value byHead = b.perToken(x, name + ".split", count, a.width());
        Value amounts = b.graph.integers(name + ".pads", 0, 0, 0, 0, 0, 0, 0, fusedWidth(a) - a.width());
        Value padded = b.op("Pad", name + ".padded", byHead, amounts);
        return b.perToken(padded, name + ".wide", (long) count * fusedWidth(a));
    }

    private Value fused(Attention a, List<Value> qkv) {
        Optional<SlidingRows> window = window(a);
        List<CachedLowering.State> states = lowering.keyValues(a.layer(), a.keyValueHeads(), window, fusedWidth(a));
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("num_heads", a.heads());
        attributes.put("kv_num_heads", a.keyValueHeads());
        attributes.put("scale", (float) a.scale());
        if (a.window() > 0) {
            attributes.put("local_window_size", a.window());
        }
        if (a.softCap() > 0) {
            attributes.put("softcap", (float) a.softCap());
        }
        List<Value> inputs = new ArrayList<>(qkv.stream().map(this::asCached).toList());
        inputs.addAll(List.of(states.get(0).input(), states.get(1).input()));
        inputs.addAll(
                window.isPresent()
                        ? List.of(windowLast, windowTotal)
                        : List.of(lowering.lastIndex(), lowering.total()));
        Optional<Rotary> rotary = a.rotary().filter(r -> rotatesInside(a, r));
        if (rotary.isPresent()) {
            CachedLowering.Tables tables = lowering.tables(rotary.get());
            attributes.put("do_rotary", 1);
            attributes.put("rotary_interleaved", rotary.get().interleaved() ? 1 : 0);
            // by itself the operator would count positions from the first row of its cache
            Value rows = window.isPresent() && tables.rows().isNone() ? lowering.positions() : tables.rows();
            inputs.addAll(List.of(asCached(tables.cos()), asCached(tables.sin()), rows));
        } else {
            inputs.addAll(List.of(Value.NONE, Value.NONE, Value.NONE));
        }
        String p = a.prefix();
        if (!a.sinks().isEmpty()) {
            inputs.add(Value.NONE);
            inputs.add(asCached(b.graph.floats(p + "sinks", b.tensors.vectorLater(a.sinks(), a.heads()), a.heads())));
        }
        while (inputs.get(inputs.size() - 1).isNone()) {
            inputs.remove(inputs.size() - 1);
        }
        String output = p + "attention";
        boolean cast = cache != ElementType.FLOAT;
        Value attended = b.fused(
                        "GroupQueryAttention",
                        inputs,
                        List.of(
                                cast ? output + ".cached" : output,
                                states.get(0).output(),
                                states.get(1).output()),
                        attributes)
                .get(0);
        return cast ? b.op("Cast", output, List.of(attended), Map.of("to", ElementType.FLOAT.code())) : attended;
    }

    /** The operator takes all its floats in the type of the cache. */
    private Value asCached(Value x) {
        if (x.isNone() || cache == ElementType.FLOAT) {
            return x;
        }
        return lowering.constant(
                "cached", x.name() + ".cached", name -> b.op("Cast", name, List.of(x), Map.of("to", cache.code())));
    }

    /** What a layer keeps of the positions; empty for all. */
    private Optional<SlidingRows> window(Attention a) {
        SlidingRows rows = SlidingRows.of(a.window());
        if (whole || a.window() == 0 || rows.capacity() >= b.contextLength) {
            return Optional.empty();
        }
        if (kept.isEmpty()) {
            kept = Optional.of(rows);
            windowLast = b.graph.input("window_seqlens_k", ElementType.INT32, CachedLowering.BATCH);
            windowTotal = b.graph.input("window_total_length", ElementType.INT32);
        }
        return kept.filter(rows::equals); // a layer with another window keeps all positions
    }
}

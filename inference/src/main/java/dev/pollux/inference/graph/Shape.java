package dev.pollux.inference.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** The shape of a value. A dimension is fixed, symbolic (named, set at run time) or unknown. <em>Immutable.</em> */
public final class Shape {

    /** A shape of unknown rank, compatible with every shape. */
    public static final Shape UNKNOWN = new Shape(List.of(), false);

    private final List<Dim> dims;
    private final boolean ranked;

    private Shape(List<Dim> dims, boolean ranked) {
        this.dims = List.copyOf(dims);
        this.ranked = ranked;
    }

    /**
     * A dimension: {@code factor} times the product of the symbols.
     *
     * @param factor above or equal to 0
     * @param symbols sorted names of sizes that are set at run time; {@code ?} is an unknown size
     */
    public record Dim(long factor, List<String> symbols) {

        /** An unknown size, compatible with every size. */
        public static final Dim UNKNOWN = new Dim(1, List.of("?"));

        public Dim {
            symbols = List.copyOf(symbols);
        }

        /** A known size. */
        public static Dim of(long size) {
            return new Dim(size, List.of());
        }

        /** A size that is set at run time; equal names denote equal sizes. */
        public static Dim named(String symbol) {
            return symbol.isEmpty() ? UNKNOWN : new Dim(1, List.of(symbol));
        }

        /** Whether the size is a known number. */
        public boolean isFixed() {
            return symbols.isEmpty();
        }

        boolean isUnknown() {
            return symbols.contains("?");
        }

        /** Whether the two can be the same size. */
        boolean fits(Dim other) {
            return isUnknown() || other.isUnknown() || equals(other);
        }

        Dim times(Dim other) {
            if (isUnknown() || other.isUnknown()) {
                return UNKNOWN;
            }
            List<String> all = new ArrayList<>(symbols);
            all.addAll(other.symbols);
            return new Dim(factor * other.factor, all.stream().sorted().toList());
        }

        /** This divided by {@code other}; empty if there is a remainder. */
        Optional<Dim> over(Dim other) {
            if (isUnknown() || other.isUnknown()) {
                return Optional.of(UNKNOWN);
            }
            List<String> left = new ArrayList<>(symbols);
            for (String symbol : other.symbols) {
                if (!left.remove(symbol)) {
                    return Optional.empty();
                }
            }
            if (other.factor == 0 || factor % other.factor != 0) {
                return Optional.empty();
            }
            return Optional.of(new Dim(factor / other.factor, left));
        }

        @Override
        public String toString() {
            String names = String.join("·", symbols);
            return symbols.isEmpty() ? Long.toString(factor) : factor == 1 ? names : factor + "·" + names;
        }
    }

    /** A shape of known sizes. */
    public static Shape of(long... sizes) {
        return new Shape(Arrays.stream(sizes).mapToObj(Dim::of).toList(), true);
    }

    /** A shape of dimensions. */
    public static Shape of(List<Dim> dims) {
        return new Shape(dims, true);
    }

    /**
     * A shape from sizes: an {@code Integer} or {@code Long} for a fixed size, a {@code String} for one that is set at run
     * time.
     */
    public static Shape from(Object... dims) {
        List<Dim> made = new ArrayList<>();
        for (Object dim : dims) {
            made.add(dim instanceof Number size ? Dim.of(size.longValue()) : Dim.named((String) dim));
        }
        return new Shape(made, true);
    }

    /** Whether the number of dimensions is known. */
    public boolean isRanked() {
        return ranked;
    }

    /** The number of dimensions; 0 where it is unknown. */
    public int rank() {
        return dims.size();
    }

    /** The dimensions; empty where their number is unknown. */
    public List<Dim> dims() {
        return dims;
    }

    /** A dimension; a negative {@code axis} counts from the end. Unknown if there is no such axis. */
    public Dim dim(int axis) {
        int at = axis < 0 ? axis + dims.size() : axis;
        return at < 0 || at >= dims.size() ? Dim.UNKNOWN : dims.get(at);
    }

    /** The last dimension. */
    public Dim last() {
        return dim(-1);
    }

    /** A dimension as ONNX lists it: the size, or −1 if it is not fixed. */
    public long size(int axis) {
        Dim dim = dim(axis);
        return dim.isFixed() ? dim.factor() : -1;
    }

    /** The number of elements; −1 if it is not fixed. */
    public long elements() {
        if (!ranked || !dims.stream().allMatch(Dim::isFixed)) {
            return -1;
        }
        return dims.stream().mapToLong(Dim::factor).reduce(1, Math::multiplyExact);
    }

    /** The product of all dimensions. */
    Dim volume() {
        return ranked ? dims.stream().reduce(Dim.of(1), Dim::times) : Dim.UNKNOWN;
    }

    /** A copy with {@code dim} at {@code axis}; unknown if there is no such axis. */
    Shape with(int axis, Dim dim) {
        int at = axis < 0 ? axis + dims.size() : axis;
        if (!ranked || at < 0 || at >= dims.size()) {
            return UNKNOWN;
        }
        List<Dim> changed = new ArrayList<>(dims);
        changed.set(at, dim);
        return new Shape(changed, true);
    }

    /** Whether a value may have both shapes. */
    boolean fits(Shape other) {
        if (!ranked || !other.ranked) {
            return true;
        }
        if (dims.size() != other.dims.size()) {
            return false;
        }
        for (int i = 0; i < dims.size(); i++) {
            if (!dims.get(i).fits(other.dims.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && ranked == shape.ranked && dims.equals(shape.dims);
    }

    @Override
    public int hashCode() {
        return Objects.hash(dims, ranked);
    }

    /** For example {@code [1, S, 64]}. */
    @Override
    public String toString() {
        return ranked ? dims.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]")) : "[?]";
    }
}

package dev.pollux.inference.internal.layerwise;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.inference.internal.masked.MaskedLowering;
import dev.pollux.inference.internal.masked.Operators;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * The masked lowering in 32-bit floats, with looked-up rows as inputs of the graph, since a table of embeddings may be larger
 * than a layer, and without branches, so that the inputs of experts are visible. It records the looked-up rows and the products
 * with matrices. <em>Confined to one thread.</em>
 */
final class LayerLowering extends MaskedLowering {

    private final Blocks b;
    private final Operators operators;
    private final List<Lookup> lookups = new ArrayList<>();
    private final List<Product> products = new ArrayList<>();

    /**
     * Rows of a table by the ids of the tokens.
     *
     * @param rows the input of the graph, (batch, tokens, columns)
     */
    record Lookup(Value rows, StackedMatrix table) {}

    /**
     * A product with a matrix.
     *
     * @param x (…, columns)
     * @param factor the matrix in the graph, (columns, rows)
     */
    record Product(Value x, StackedMatrix matrix, Value factor) {}

    LayerLowering(Blocks b, Operators operators) {
        super(b, operators, false, "");
        this.b = b;
        this.operators = operators;
    }

    List<Lookup> lookups() {
        return lookups;
    }

    List<Product> products() {
        return products;
    }

    @Override
    public Value embed(String output, StackedMatrix table) {
        Value rows = b.graph.input(operators.fresh("rows"), ElementType.FLOAT, "batch", "tokens", table.columns());
        lookups.add(new Lookup(rows, table));
        return rows;
    }

    @Override
    public Value linear(Value x, String output, Linear linear) {
        products.add(new Product(x, linear.matrix(), factor(linear.matrix())));
        return super.linear(x, output, linear);
    }

    @Override
    public boolean skipsExperts() {
        return false;
    }
}

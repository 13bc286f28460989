package dev.pollux.finetune.internal.training;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.Operators;
import java.util.Map;

/**
 * The divergence of predictions from those of a teacher, and its gradient. <em>Immutable.</em>
 *
 * @param divergences of the tokens, (tokens, 1)
 * @param gradient of each by the logits of its token, (tokens, vocabulary)
 */
record TeacherGraph(Value divergences, Value gradient) {

    /*
     * With s = log softmax(z / T) of the model, t of the teacher, and m = log(β eᵗ + (1 − β) eˢ), the generalized Jensen-Shannon
     * divergence (Agarwal et al., arXiv:2306.13649, equation 1) is
     *
     *   D = β Σ eᵗ (t − m) + (1 − β) Σ eˢ (s − m)
     *
     * Its derivative by eˢ is (1 − β)(s − m) up to a constant that is the same for all tokens of the vocabulary, so with
     * q = (1 − β)(s − m)
     *
     *   dD/dz = eˢ (q − Σ eˢ q) / T
     *
     * β = 0 stands for D = Σ eᵗ (t − s) with dD/dz = (eˢ − eᵗ) / T, and β = 1 for D = Σ eˢ (s − t) with q = s − t, as in TRL; they
     * are not the limits of the formula, which are 0. There is no factor T².
     */

    /**
     * Adds both to a graph.
     *
     * @param logits (tokens, vocabulary)
     * @param teacher its logits, (tokens, vocabulary)
     */
    static TeacherGraph of(Operators o, Value logits, Value teacher, TeacherLoss loss) {
        Value s = logSoftmax(o, logits, loss.temperature());
        Value t = logSoftmax(o, teacher, loss.temperature());
        Value model = o.op("Exp", Map.of(), s);
        Value taught = o.op("Exp", Map.of(), t);
        Value divergence;
        Value slope;
        if (loss.beta() == 0) {
            divergence = sum(o, o.multiply(taught, minus(o, t, s)));
            slope = minus(o, model, taught);
        } else if (loss.beta() == 1) {
            Value q = minus(o, s, t);
            divergence = sum(o, o.multiply(model, q));
            slope = o.multiply(model, minus(o, q, divergence));
        } else {
            Value m = mixture(o, s, t, loss.beta());
            Value q = o.multiply(minus(o, s, m), o.number(1 - loss.beta()));
            Value own = sum(o, o.multiply(model, q));
            Value other = sum(o, o.multiply(o.multiply(taught, minus(o, t, m)), o.number(loss.beta())));
            divergence = o.add(own, other);
            slope = o.multiply(model, minus(o, q, own));
        }
        return new TeacherGraph(divergence, o.multiply(slope, o.number(1 / loss.temperature())));
    }

    private static Value logSoftmax(Operators o, Value logits, double temperature) {
        return o.op("LogSoftmax", Map.of("axis", -1), o.multiply(logits, o.number(1 / temperature)));
    }

    private static Value minus(Operators o, Value a, Value b) {
        return o.op("Sub", Map.of(), a, b);
    }

    private static Value sum(Operators o, Value x) {
        return o.op("ReduceSum", Map.of("keepdims", 1), x, o.integers(-1));
    }

    /** log(β eᵗ + (1 − β) eˢ) by the larger of both, so that no exponential underflows to a logarithm of 0. */
    private static Value mixture(Operators o, Value s, Value t, double beta) {
        Value a = o.add(s, o.number(Math.log(1 - beta)));
        Value b = o.add(t, o.number(Math.log(beta)));
        Value most = o.op("Max", Map.of(), a, b);
        Value sum = o.add(o.op("Exp", Map.of(), minus(o, a, most)), o.op("Exp", Map.of(), minus(o, b, most)));
        return o.add(most, o.op("Log", Map.of(), sum));
    }
}

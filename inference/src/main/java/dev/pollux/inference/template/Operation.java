package dev.pollux.inference.template;

import java.util.List;

/** Expressions made with operators. <em>Immutable.</em> */
sealed interface Operation extends Expression
        permits Operation.Unary,
                Operation.Binary,
                Operation.Not,
                Operation.And,
                Operation.Or,
                Operation.Concatenation,
                Operation.Comparisons,
                Operation.Conditional {

    /** {@code -value} or {@code +value}. */
    record Unary(Position at, boolean negative, Expression value) implements Operation {

        @Override
        public Object compute(Frame frame) {
            Object number = value.evaluate(frame);
            frame.interpreter().at(at);
            Operators operators = frame.interpreter().operators();
            return negative ? operators.negate(number) : operators.plus(number);
        }
    }

    /** Arithmetic: {@code + - * / // % **}. */
    record Binary(Position at, String operator, Expression left, Expression right) implements Operation {

        @Override
        public Object compute(Frame frame) {
            Object a = left.evaluate(frame);
            Object b = right.evaluate(frame);
            frame.interpreter().at(at);
            return frame.interpreter().operators().binary(operator, a, b);
        }
    }

    /** {@code not value}. */
    record Not(Position at, Expression value) implements Operation {

        @Override
        public Object compute(Frame frame) {
            return !Comparison.truth(value.evaluate(frame));
        }
    }

    /** {@code a and b}: one of its operands, not a boolean. */
    record And(Position at, Expression left, Expression right) implements Operation {

        @Override
        public Object compute(Frame frame) {
            Object value = left.evaluate(frame);
            return Comparison.truth(value) ? right.evaluate(frame) : value;
        }
    }

    /** {@code a or b}: one of its operands, not a boolean. */
    record Or(Position at, Expression left, Expression right) implements Operation {

        @Override
        public Object compute(Frame frame) {
            Object value = left.evaluate(frame);
            return Comparison.truth(value) ? value : right.evaluate(frame);
        }
    }

    /** {@code a ~ b}: the operands as text. */
    record Concatenation(Position at, List<Expression> parts) implements Operation {

        @Override
        public Object compute(Frame frame) {
            Interpreter in = frame.interpreter();
            TextBuilder text = new TextBuilder(in.budget());
            for (Expression part : parts) {
                Object value = part.evaluate(frame);
                in.at(at);
                text.append(in.printer().str(value));
            }
            return text.toString();
        }
    }

    /** {@code a < b <= c}: all must hold, and evaluation stops at the first that does not. */
    record Comparisons(Position at, Expression first, List<String> operators, List<Expression> others)
            implements Operation {

        @Override
        public Object compute(Frame frame) {
            Object left = first.evaluate(frame);
            for (int i = 0; i < others.size(); i++) {
                Object right = others.get(i).evaluate(frame);
                frame.interpreter().at(at);
                if (!holds(frame.interpreter().comparison(), operators.get(i), left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        }

        private static boolean holds(Comparison comparison, String operator, Object a, Object b) {
            return switch (operator) {
                case "==" -> comparison.equal(a, b);
                case "!=" -> !comparison.equal(a, b);
                case "in" -> comparison.contains(b, a);
                case "not in" -> !comparison.contains(b, a);
                default -> comparison.ordered(a, operator, b);
            };
        }
    }

    /** {@code a if test else b}. */
    record Conditional(Position at, Expression test, Expression then, Expression otherwise) implements Operation {

        @Override
        public Object compute(Frame frame) {
            return (Comparison.truth(test.evaluate(frame)) ? then : otherwise).evaluate(frame);
        }
    }
}

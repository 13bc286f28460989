package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.List;

/** What can be assigned to. <em>Immutable.</em> */
sealed interface Target permits Target.Variable, Target.Member, Target.Several {

    void assign(Frame frame, Object value);

    /** {@code name}. */
    record Variable(String name) implements Target {

        @Override
        public void assign(Frame frame, Object value) {
            frame.set(name, value);
        }
    }

    /** {@code namespace.attribute}. */
    record Member(String name, String attribute) implements Target {

        @Override
        public void assign(Frame frame, Object value) {
            if (!(frame.get(name) instanceof Namespace namespace)) {
                throw Failure.of("cannot assign to attribute '" + attribute + "' of '" + name
                        + "', which is not a namespace; create it with namespace()");
            }
            namespace.attributes().put(attribute, value);
        }
    }

    /** {@code a, b}: the value's items, one each. */
    record Several(List<Target> targets) implements Target {

        @Override
        public void assign(Frame frame, Object value) {
            Budget budget = frame.interpreter().budget();
            Iterator<Object> items = Iteration.of(value, budget, "cannot unpack non-iterable %s object");
            int given = 0;
            for (Target target : targets) {
                if (!items.hasNext()) {
                    throw Failure.of("ValueError: not enough values to unpack (expected " + targets.size() + ", got "
                            + given + ")");
                }
                target.assign(frame, items.next());
                given++;
            }
            if (items.hasNext()) {
                throw Failure.of("ValueError: too many values to unpack (expected " + targets.size() + ")");
            }
        }
    }
}

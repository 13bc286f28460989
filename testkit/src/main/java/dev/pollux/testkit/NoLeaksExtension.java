package dev.pollux.testkit;

import dev.pollux.internal.OpenHandle;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** What {@link NoLeaks} does: a snapshot of the open handles before, and a comparison after. <em>Thread-safe.</em> */
final class NoLeaksExtension implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    private static final Namespace NAMESPACE = Namespace.create(NoLeaksExtension.class);

    @Override
    public void beforeAll(ExtensionContext context) {
        remember(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        remember(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        compare(context);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        compare(context);
    }

    private static void remember(ExtensionContext context) {
        OpenHandle.trace(true);
        Set<OpenHandle> before = Collections.newSetFromMap(new IdentityHashMap<>());
        before.addAll(OpenHandle.open());
        // Keyed by the context: a store also answers with what its parent remembers.
        context.getStore(NAMESPACE).put(context.getUniqueId(), before);
    }

    private static void compare(ExtensionContext context) {
        Set<?> before = context.getStore(NAMESPACE).getOrDefault(context.getUniqueId(), Set.class, new HashSet<>());
        List<OpenHandle> left = OpenHandle.open().stream()
                .filter(handle -> !before.contains(handle))
                .toList();
        if (left.isEmpty()) {
            return;
        }
        AssertionError error = new AssertionError(context.getDisplayName() + " left open: "
                + left.stream().map(OpenHandle::toString).sorted().collect(Collectors.joining(", "))
                + "; close what a test opens (where each was opened follows)");
        for (OpenHandle handle : left) {
            error.addSuppressed(handle.openedAt());
            handle.close(); // forgets it, so that the class does not report again what its test did
        }
        throw error;
    }
}

package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.OpenHandle;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test that leaves files open. */
final class NoOpenFiles implements BeforeEachCallback, AfterEachCallback {

    private int open;

    @Override
    public void beforeEach(ExtensionContext context) {
        open = OpenHandle.open().size();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        assertThat(OpenHandle.open()).hasSize(open);
    }
}

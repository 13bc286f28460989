package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What every call promises to a thread that is interrupted. <em>Thread-safe.</em> */
public final class Interrupted {

    private Interrupted() {}

    /** Makes {@code call} on this thread, interrupted, and asserts that it is cancelled and that the thread stays interrupted. */
    public static void isRefused(ThrowingCallable call) {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(call).isInstanceOf(CancelledException.class);
        } finally {
            assertThat(Thread.interrupted())
                    .as("whether the thread is still interrupted")
                    .isTrue();
        }
    }
}

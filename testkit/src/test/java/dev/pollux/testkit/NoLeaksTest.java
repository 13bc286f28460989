package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.pollux.internal.OpenHandle;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

class NoLeaksTest {

    private static final String INNER = "dev.pollux.testkit.inner";

    @BeforeEach
    void enableInnerTests() {
        System.setProperty(INNER, "on");
    }

    @AfterEach
    void disableInnerTests() {
        System.clearProperty(INNER);
    }

    @Test
    void aTestThatLeavesAHandleOpenFailsAndShowsWhereItWasOpened() {
        EngineExecutionResults results = run(Leaky.class);
        List<Event> failed = results.testEvents().failed().list();
        assertThat(failed).hasSize(1);
        Throwable error = error(failed.get(0));
        assertThat(error)
                .isInstanceOf(AssertionError.class)
                .hasMessage("leavesTwo() left open: file a.bin, session b.onnx; close what a test opens"
                        + " (where each was opened follows)");
        assertThat(error.getSuppressed()).hasSize(2).allSatisfy(at -> {
            assertThat(at).hasMessageStartingWith("opened here: ");
            assertThat(Arrays.stream(at.getStackTrace()).map(StackTraceElement::getMethodName))
                    .contains("leavesTwo");
        });
        assertThat(results.testEvents().succeeded().count()).isEqualTo(1);
        assertThat(results.containerEvents().failed().count()).isZero();
        assertThat(OpenHandle.open()).extracting(OpenHandle::toString).doesNotContain("file a.bin", "session b.onnx");
    }

    @Test
    void whatTheClassOpensAndClosesIsNoLeakOfItsTests() {
        EngineExecutionResults results = run(OpensForAll.class);
        assertThat(results.allEvents().failed().count()).isZero();
        assertThat(results.testEvents().succeeded().count()).isEqualTo(1);
    }

    @Test
    void whatTheClassLeavesOpenIsReportedForTheClass() {
        List<Event> failed = run(LeakyClass.class).allEvents().failed().list();
        assertThat(failed).hasSize(1);
        assertThat(error(failed.get(0))).hasMessageStartingWith("NoLeaksTest$LeakyClass left open: the class's own;");
    }

    @Test
    void onAMethodItWatchesThatMethodOnly() {
        EngineExecutionResults results = run(OneMethod.class);
        assertThat(results.testEvents().failed().list())
                .extracting(event -> error(event).getMessage())
                .containsExactly("watched() left open: seen; close what a test opens (where each was opened follows)");
        OpenHandle.open().stream()
                .filter(handle -> handle.toString().equals("unseen"))
                .forEach(OpenHandle::close);
    }

    private static EngineExecutionResults run(Class<?> tests) {
        return EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(tests))
                .execute();
    }

    private static Throwable error(Event event) {
        return event.getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .orElseThrow();
    }

    @NoLeaks
    @EnabledIfSystemProperty(named = INNER, matches = "on")
    static class Leaky {
        @Test
        void leavesTwo() {
            OpenHandle.of("session b.onnx");
            OpenHandle.of("file a.bin");
        }

        @Test
        void closesWhatItOpens() {
            OpenHandle.of("closed").close();
        }
    }

    @NoLeaks
    @EnabledIfSystemProperty(named = INNER, matches = "on")
    static class OpensForAll {
        private static List<OpenHandle> shared = List.of();

        @BeforeAll
        static void open() {
            shared = List.of(OpenHandle.of("shared"));
        }

        @AfterAll
        static void close() {
            shared.forEach(OpenHandle::close);
        }

        @Test
        void uses() {
            assertThat(shared).hasSize(1);
        }
    }

    @NoLeaks
    @EnabledIfSystemProperty(named = INNER, matches = "on")
    static class LeakyClass {
        @BeforeAll
        static void open() {
            OpenHandle.of("the class's own");
        }

        @Test
        void passes() {
            assertThat(OpenHandle.open()).isNotEmpty();
        }
    }

    @EnabledIfSystemProperty(named = INNER, matches = "on")
    static class OneMethod {
        @Test
        @NoLeaks
        void watched() {
            OpenHandle.of("seen");
        }

        @Test
        void unwatched() {
            OpenHandle.of("unseen");
        }
    }
}

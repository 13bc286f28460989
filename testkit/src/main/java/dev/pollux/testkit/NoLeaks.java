package dev.pollux.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Fails a test that left a resource of Pollux open (a session, a mapped file, an index), and shows where it was opened.
 *
 * <p>On a method it compares what is open before and after that test, {@code @BeforeEach} and {@code @AfterEach}
 * included; on a class it does so for every test, and once more for the class as a whole, so that what
 * {@code @BeforeAll} opens may live until {@code @AfterAll}. What was left open is reported once.
 *
 * <p>Where tests run in parallel, those with this annotation run one after another, as a leak could not be told from the
 * work of a neighbour; tests without it that open resources at the same time should then be annotated too.
 *
 * <pre>{@code
 * @NoLeaks
 * class OnnxGeneratorTest { … }
 * }</pre>
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ResourceLock("dev.pollux.testkit.NoLeaks")
@ExtendWith(NoLeaksExtension.class)
@SuppressWarnings("exports") // JUnit alone makes the extension
public @interface NoLeaks {}

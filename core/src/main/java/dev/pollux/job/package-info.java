/** Long-running work as a value: progress, cancellation and one family of events. */
@NullMarked
package dev.pollux.job;

import org.jspecify.annotations.NullMarked;

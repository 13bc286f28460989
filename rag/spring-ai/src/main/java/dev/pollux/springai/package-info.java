/** Bridges between Pollux and Spring AI: {@link dev.pollux.springai.ToSpringAi} and {@link dev.pollux.springai.FromSpringAi}. */
@NullMarked
package dev.pollux.springai;

import org.jspecify.annotations.NullMarked;

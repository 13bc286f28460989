/** The root of Pollux: the exceptions that every module shares. */
@NullMarked
package dev.pollux;

import org.jspecify.annotations.NullMarked;

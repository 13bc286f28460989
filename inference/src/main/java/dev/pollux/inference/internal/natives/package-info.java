/** Unpacks and loads the native libraries and disables their telemetry; not an API. */
@NullMarked
package dev.pollux.inference.internal.natives;

import org.jspecify.annotations.NullMarked;

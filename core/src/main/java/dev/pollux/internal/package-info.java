/** Shared by the modules of Pollux; not an API. */
@NullMarked
package dev.pollux.internal;

import org.jspecify.annotations.NullMarked;

/** Shared by the packages of this module; not an API. */
@NullMarked
package dev.pollux.inference.internal;

import org.jspecify.annotations.NullMarked;

/** Native libraries: unpacked once, loaded, and kept from reporting to anyone; not an API. */
@NullMarked
package dev.pollux.inference.internal.natives;

import org.jspecify.annotations.NullMarked;

/** Where models run. */
@NullMarked
package dev.pollux.inference.device;

import org.jspecify.annotations.NullMarked;

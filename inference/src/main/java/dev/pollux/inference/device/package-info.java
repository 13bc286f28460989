/** The devices that models run on. */
@NullMarked
package dev.pollux.inference.device;

import org.jspecify.annotations.NullMarked;

/** How native sessions are opened; for this module alone. */
@NullMarked
package dev.pollux.inference.internal.session;

import org.jspecify.annotations.NullMarked;

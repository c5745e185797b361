#include "firmware/http/gates.h"

#include <gtest/gtest.h>

#pragma once
#include "crc32c.h"

#include "evidence/tee.h"

// Asio and Beast are compiled here, once; the macros that leave them out elsewhere are set for the whole library.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>

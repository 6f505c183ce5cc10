// skopeo's engine for the interop tests: copies an image between two references, encrypting or decrypting its layers,
// with the libraries that skopeo itself is made of.
//
//	skopeo-engine copy [--encryption-key K]... [--decryption-key K]... [--src-plain] [--dest-plain] SOURCE DESTINATION
//
// References and keys are written as for skopeo: docker://host/name:tag, oci:DIR:tag; jwe:FILE, provider:NAME:ARGS.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	enchelpers "github.com/containers/ocicrypt/helpers"

	encconfig "github.com/containers/ocicrypt/config"
	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports/alltransports"
	"go.podman.io/image/v5/types"
)

type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func cryptConfig(encryption, decryption list) (*encconfig.EncryptConfig, *encconfig.DecryptConfig, error) {
	var encrypt *encconfig.EncryptConfig
	var decrypt *encconfig.DecryptConfig
	if len(encryption) > 0 {
		config, err := enchelpers.CreateCryptoConfig(encryption, nil)
		if err != nil {
			return nil, nil, err
		}
		encrypt = config.EncryptConfig
	}
	if len(decryption) > 0 {
		config, err := enchelpers.CreateCryptoConfig(nil, decryption)
		if err != nil {
			return nil, nil, err
		}
		decrypt = encconfig.CombineCryptoConfigs([]encconfig.CryptoConfig{config}).DecryptConfig
	}
	return encrypt, decrypt, nil
}

func system(plain bool) *types.SystemContext {
	context := &types.SystemContext{}
	if plain {
		context.DockerInsecureSkipTLSVerify = types.OptionalBoolTrue
	}
	return context
}

func run() error {
	var encryption, decryption list
	flags := flag.NewFlagSet("copy", flag.ExitOnError)
	flags.Var(&encryption, "encryption-key", "recipient, may be repeated")
	flags.Var(&decryption, "decryption-key", "private key or provider, may be repeated")
	sourcePlain := flags.Bool("src-plain", false, "plain HTTP for the source registry")
	destinationPlain := flags.Bool("dest-plain", false, "plain HTTP for the destination registry")
	if len(os.Args) < 2 || os.Args[1] != "copy" {
		return fmt.Errorf("usage: skopeo-engine copy [FLAGS] SOURCE DESTINATION")
	}
	flags.Parse(os.Args[2:])
	if flags.NArg() != 2 {
		return fmt.Errorf("expected a source and a destination, got %d arguments", flags.NArg())
	}
	source, err := alltransports.ParseImageName(flags.Arg(0))
	if err != nil {
		return err
	}
	destination, err := alltransports.ParseImageName(flags.Arg(1))
	if err != nil {
		return err
	}
	encrypt, decrypt, err := cryptConfig(encryption, decryption)
	if err != nil {
		return err
	}
	options := &copy.Options{
		SourceCtx:        system(*sourcePlain),
		DestinationCtx:   system(*destinationPlain),
		OciEncryptConfig: encrypt,
		OciDecryptConfig: decrypt,
	}
	if encrypt != nil {
		options.OciEncryptLayers = &[]int{}
	}
	policy, err := signature.NewPolicyContext(
		&signature.Policy{Default: []signature.PolicyRequirement{signature.NewPRInsecureAcceptAnything()}})
	if err != nil {
		return err
	}
	defer policy.Destroy()
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	_, err = copy.Image(deadline, policy, destination, source, options)
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "skopeo-engine:", err)
		os.Exit(1)
	}
}
